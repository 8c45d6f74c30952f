/**
 * What a service's timers do when they run out: a state has lasted too long, the watchdog was not fed, RuntimeMaxSec= is over, RestartSec= has passed. In the real stack:
 * service_dispatch_timer and service_dispatch_watchdog of service.c. When they are set is in service-states.ts.
 */
import type { Duration } from "../../kernel/index.ts";
import type { Core, Service } from "./core.ts";
import { stateOf, type ServiceStates } from "./service-states.ts";

export class ServiceTimeouts {
  constructor(
    private readonly core: Core,
    private readonly states: ServiceStates,
  ) {}

  /** A timer of the unit ran out: `state`, `watchdog` or `runtime`. */
  timer(service: Service, which: string, limit: (span: Duration) => string): void {
    const { unit, def, s } = service;
    if (which === "watchdog") {
      this.core.say(unit, "error", `Watchdog timeout (limit ${limit(s.watchdogOverride ?? def.watchdog)})!`);
      this.states.enterSignal(service, "stop-watchdog", "watchdog");
    } else if (which === "runtime") {
      this.core.say(unit, "warning", "Service reached runtime time limit. Stopping.");
      this.states.enterSignal(service, "stop-sigterm", "timeout");
    } else if (stateOf(service) === "auto-restart") this.core.request(unit.name, "restart", "replace", "restart");
    else this.timedOut(service);
  }

  private timedOut(service: Service): void {
    const { unit, def, s } = service;
    const at = stateOf(service);
    const warn = (text: string): void => this.core.say(unit, "warning", text);
    switch (at) {
      case "condition":
      case "start-pre":
      case "start":
        warn(`${at} operation timed out. Terminating.`);
        return this.states.enterSignal(service, "stop-sigterm", "timeout");
      case "start-post":
        warn("start-post operation timed out. Stopping.");
        return this.states.enterStop(service, "timeout");
      case "reload":
        warn("Reload operation timed out. Killing reload process.");
        if (s.controlPid !== 0) this.core.hooks.kill(s.controlPid, "SIGKILL");
        s.controlPid = 0;
        s.reloadResult = "timeout";
        return this.states.enterRunning(service, "success");
      case "stop":
        warn("Stopping timed out. Terminating.");
        return this.states.enterSignal(service, "stop-sigterm", "timeout");
      case "stop-watchdog":
        warn("State 'stop-watchdog' timed out. Killing.");
        return this.states.enterSignal(service, "stop-sigkill", "timeout");
      case "stop-sigterm":
        warn(`State 'stop-sigterm' timed out. ${def.sendSigkill ? "Killing." : "Skipping SIGKILL."}`);
        return def.sendSigkill
          ? this.states.enterSignal(service, "stop-sigkill", "timeout")
          : this.states.enterStopPost(service, "timeout");
      case "stop-sigkill":
        warn("Processes still around after SIGKILL. Ignoring.");
        return this.states.enterStopPost(service, "timeout");
      case "stop-post":
        warn("State 'stop-post' timed out. Terminating.");
        return this.states.enterSignal(service, "final-sigterm", "timeout");
      case "final-sigterm":
      case "final-watchdog":
        warn(`State '${at}' timed out. ${def.sendSigkill ? "Killing." : "Skipping SIGKILL. Entering failed mode."}`);
        return def.sendSigkill ? this.states.enterSignal(service, "final-sigkill", "timeout") : this.states.enterDead(service, "timeout");
      case "final-sigkill":
        warn("Processes still around after final SIGKILL. Entering failed mode.");
        return this.states.enterDead(service, "timeout");
      default:
        return;
    }
  }
}
