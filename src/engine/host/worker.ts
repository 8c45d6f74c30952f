/**
 * The program of a worker process: one cluster node, run for the hub that started it. In the real stack this is one server with Proxmox VE on it. Left out:
 * everything; see serve.ts.
 */
import "./tiering.ts";
import { loadedMachines } from "../fuzz/index.ts";
import { WorkerDisk } from "./disk/node-disks.ts";
import { serve } from "./serve.ts";

serve(loadedMachines, new WorkerDisk());
