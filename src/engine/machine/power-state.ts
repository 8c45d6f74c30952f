/** What a machine keeps of its power: the stage it is in, and since when. In the real world the mains, the firmware and the kernel. Left out: everything that runs. */
import type { Instant } from "../kernel/index.ts";

export type Stage = "off" | "booting" | "starting" | "on" | "stopping" | "powering-off";

export interface PowerState {
  stage: Stage;
  stalled: boolean;
  since: Instant;
  /** When it was powered on, whatever stalled since; absent in states kept before this was. */
  poweredAt?: Instant;
  rebootAfter: boolean;
  nextPid: number;
  /** The name the kernel was given since it started; "" : that of the design. */
  hostname: string;
  /** What the kernel will say of a disk that was changed while the machine was off; "" where it was not. */
  diskLine: string;
}
