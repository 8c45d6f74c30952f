/** The lab against recordings of corosync 3.1.10-pve3 with libknet 1.35, as Proxmox VE 9.2 has them: the rule is the one that holds for 3.1.7. */
import { describe } from "vitest";
import { haveReference, skipLine } from "../shared.ts";
import { PlayedSet } from "./played-set.ts";

const SCENARIOS = [
  "form-1",
  "form-3-one-by-one",
  "form-3-together",
  "kill-1-of-3",
  "stop-1-of-3",
  "pause-resume-1-of-3",
  "partition-2-1",
  "partition-non-transitive",
  "four-2-2",
  "two-links",
  "reload-config",
  "config-version-mismatch",
  "cfgtool-kill-and-monitor",
  "latency-3",
  "debug-lifecycle-3",
  "debug-partition-3",
  "qdevice-ffsplit-4",
  "two-node-flag",
  "wait-for-all-3",
  "auto-tie-breaker-4",
  "last-man-standing-4",
  "allow-downscale-3",
  "qdevice-lms-3",
  "qdevice-add-online",
];

const played = new PlayedSet({
  release: "9.2",
  scenarios: SCENARIOS,
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
