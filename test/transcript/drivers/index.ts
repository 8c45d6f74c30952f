/** The layers that have transcripts: a folder of *.txt beside this one, and the driver that runs its commands. */
import type { Driver } from "../told.ts";
import { CpgDriver } from "./cpg.ts";
import { KnetDriver } from "./knet.ts";
import { QdeviceDriver } from "./qdevice.ts";
import { TotemDriver } from "./totem.ts";
import { VotequorumDriver } from "./votequorum.ts";

export const DRIVERS: Readonly<Record<string, () => Driver>> = {
  knet: () => new KnetDriver(),
  totem: () => new TotemDriver(),
  cpg: () => new CpgDriver(),
  votequorum: () => new VotequorumDriver(),
  qdevice: () => new QdeviceDriver(),
};
