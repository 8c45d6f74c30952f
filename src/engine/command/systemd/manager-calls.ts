/**
 * What systemctl asks, done by the manager: each call has an answer of plain data. In the real stack: the methods of org.freedesktop.systemd1.Manager on D-Bus.
 */
import { UnitFiles, systemdView, type Installed, type Manager } from "../../machine/systemd/index.ts";
import type { ManagerCall, SystemctlAnswer } from "./requests.ts";

function install(manager: Manager, call: Extract<ManagerCall, { call: "install" }>): SystemctlAnswer {
  const { files: view, edits, host } = manager.hooks;
  const files = new UnitFiles(view, edits, host);
  const scripts = systemdView(manager);
  const done = ((): Installed => {
    switch (call.verb) {
      case "enable":
        return files.enable(call.units, call.runtime);
      case "disable":
        return files.disable(call.units, call.runtime);
      case "reenable": {
        const before = files.disable(call.units, call.runtime);
        if (before.error !== undefined) return before;
        const after = files.enable(call.units, call.runtime);
        return { ...after, lines: [...before.lines, ...after.lines] };
      }
      case "mask":
        return files.mask(call.units, call.runtime);
      case "unmask":
        return files.unmask(call.units, call.runtime);
      case "set-default":
        return files.setDefault(call.units[0] ?? "");
    }
  })();
  const initScripts = call.units.filter((u) => u.endsWith(".service")).map((u) => u.slice(0, -".service".length));
  return {
    lines: done.lines,
    nothingToDo: done.nothingToDo,
    initScripts: initScripts.filter((n) => scripts.hasInitScript(n)),
    ...(done.error === undefined ? {} : { error: done.error }),
  };
}

export function managerCall(manager: Manager, call: ManagerCall): SystemctlAnswer {
  switch (call.call) {
    case "job": {
      const requested = manager.request(call.unit, call.verb, call.mode);
      return "error" in requested ? { error: requested.error, code: requested.code } : { job: requested.job };
    }
    case "kill": {
      const { unit } = systemdView(manager).unit(call.unit);
      if (manager.record(unit.name) === undefined) return { error: `Unit ${unit.name} not loaded.` };
      manager.kill(call.unit, call.whom, call.signal);
      return {};
    }
    case "reload":
      manager.reload();
      return {};
    case "reset-failed":
      return manager.resetFailed(call.unit) ? {} : { error: `Unit ${call.unit ?? ""} not loaded.` };
    case "install":
      return install(manager, call);
    case "power":
      manager.shutdown(call.action);
      return {};
  }
}

/** The answer to one who waits for a job; undefined while it is not over. */
export function jobAnswer(manager: Manager, job: number, unit: string): SystemctlAnswer | undefined {
  const result = manager.jobs.result(job);
  const r = manager.record(unit);
  return result === undefined ? undefined : { result, unitResult: r?.service?.result ?? r?.timer?.result ?? "success" };
}
