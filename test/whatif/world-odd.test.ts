/** See compared.ts. */
import { compareDesigns } from "./compared.ts";

compareDesigns(1);
