/** zod must not compile code: the page's policy forbids it. Imported before anything that builds a schema. */
import { config } from "zod";

config({ jitless: true });
