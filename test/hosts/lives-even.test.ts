// The same seeded lives of clusters in one process and with every node a process of its own, over socket files and over TCP: those of even number.
import { livesOfPart } from "./lives.ts";

livesOfPart(0);
