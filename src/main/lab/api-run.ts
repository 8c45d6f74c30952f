/** Runs beside a lab, and the other labs of this computer, as messages. Pure, as api.ts is. */

/** As `quorate replay --json` has it, and by which engine the record was made. */
export interface ReplayReply {
  digest: string;
  instant: number;
  equal: boolean;
  /** Digests that both have. */
  compared: number;
  firstDifference: number | null;
  recordedBy: string;
  engine: string;
}

/** As `quorate run --json` has it. */
export interface ScenarioReply {
  passed: boolean;
  seed: string;
  instant: number;
  digest: string;
  steps: { step: number; instant: number; passed: boolean; expected: string; got: string; what: string }[];
  /** Invariants that were broken, a sentence each. */
  violations: string[];
}

/** An entry of `quorate ls`. */
export interface ListedLab {
  lab: string;
  name: string;
  running: boolean;
  instant: number;
  nodes: string[];
}
