/** The lab against recordings of corosync 3.1.10-pve3 with libknet 1.35, as Proxmox VE 9.2 has them: the rule is the one that holds for 3.1.7. */
import { describe } from "vitest";
import { haveReference, skipLine } from "../shared.ts";
import { PlayedSet } from "./played-set.ts";

const played = new PlayedSet({
  release: "9.2",
  notPlayed: { "bad-configs": "other-suite", "packet-loss-3": "random-loss", "trace-2": "trace-to-read" },
  rules: {
    "partition-non-transitive": { endless: true },
    "qdevice-ffsplit-4": { recorderLostIn: 1 },
    "qdevice-lms-3": { recorderLostIn: 10 },
  },
  // Fifty in the long run.
  seeds: process.env["QUORATE_LONG"] === "1" ? 50 : 2,
});

skipLine("conformance");

describe.skipIf(!haveReference)("recorded scenarios of 9.2", () => played.tests());

describe.skipIf(!haveReference)("what is left out", () => played.testsOfExclusions());
