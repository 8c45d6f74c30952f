/**
 * When V8 compiles again what it runs, for a program of the lab that waits most of its time. Imported before anything else of such a program, for its effect alone. With V8's own measure a
 * process that runs thirty events a second optimises, gives up and optimises again for minutes, and forgets what it had compiled in between: half of all that sixteen idle nodes cost. What is
 * really busy reaches this measure in some ten milliseconds. In the real stack nothing stands here. Left out: programs that only compute (the command line, the fuzz), which keep V8's.
 */
import { setFlagsFromString } from "node:v8";

/** Bytes of bytecode that a function runs before V8 thinks of optimising it; V8's own measure is 67,584. A flag that V8 does not know changes nothing. */
setFlagsFromString("--interrupt-budget=1000000");
setFlagsFromString("--no-flush-bytecode");
