/**
 * What people outside do to the lab's services, and what systemctl asks for. In the real stack: kill(1) by PID 1's hand, and D-Bus. `stop` and `restart` from outside are PID 1 sending
 * SIGTERM, as the recordings of stops were made; `systemctl stop` goes by the unit's ExecStop=.
 */
import { managerCall, type ManagerCall, type SystemctlAnswer } from "../command/index.ts";
import type { Signal } from "../kernel/index.ts";
import type { Computer } from "../machine/index.ts";

export class UnitActs {
  constructor(
    private readonly computer: Computer,
    /** Those that can be named, without suffix. */
    private readonly services: () => readonly string[],
    /** The login session ends before the machine goes down. */
    private readonly endSession: () => void,
  ) {}

  service(op: "start" | "stop" | "restart" | "kill", unit: string): void {
    const { manager, isUp } = this.computer;
    if (!isUp || !this.services().includes(unit)) return;
    const name = `${unit}.service`;
    if (op === "kill") manager.kill(name, "main", "SIGKILL");
    else manager.request(name, op, "replace", op !== "start");
  }

  signalMain(unit: string, signal: Signal): void {
    if (this.computer.isUp && this.services().includes(unit)) this.computer.manager.kill(`${unit}.service`, "main", signal);
  }

  shutdown(reboot: boolean): void {
    this.endSession();
    this.computer.shutdown(reboot);
  }

  /** A request of systemctl. */
  call(call: ManagerCall): SystemctlAnswer {
    if (call.call !== "power") return managerCall(this.computer.manager, call);
    this.shutdown(call.action === "reboot");
    return {};
  }
}
