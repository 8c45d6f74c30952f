/** A computer as what runs on it sees the rest of it: clock, name, cards, process ids, journal. In the real stack: what the kernel lends to its processes. */
import { RELEASE_DEFAULT } from "../config/index.ts";
import type { Board, Computer } from "../machine/index.ts";

export function boardOf(computer: Computer): Board {
  return {
    get now() {
      return computer.now;
    },
    get name() {
      return computer.design.name;
    },
    get hostname() {
      return computer.hostname;
    },
    get release() {
      return computer.design.release ?? RELEASE_DEFAULT;
    },
    get nextPid() {
      return computer.nextPid;
    },
    unixMicros: () => computer.unixMicros(),
    nics: () => computer.nics,
    prefix: (nic) => {
      const found = computer.design.nics.find((n) => n.name === nic);
      return found?.prefix ?? (found?.address.includes(":") === true ? 64 : 24);
    },
    newPid: () => computer.newPid(),
    emit: (effect) => computer.emit(effect),
    trace: (event) => computer.trace(event),
    log: (unit, pid, level, subsystem, text, identifier) => computer.log(unit, pid, level, subsystem, text, identifier),
  };
}
