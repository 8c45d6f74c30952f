/** The manager's files over the real file layer: what it reads and changes with the calls of a process. */
import { expect, it } from "vitest";
import { fromUtf8, utf8 } from "../../src/engine/kernel/index.ts";
import { UnitLoader } from "../../src/engine/machine/systemd/load.ts";
import { layUnits, portFiles, UnitFiles } from "../../src/engine/machine/systemd/index.ts";
import { LabFiles } from "./lab-files.ts";

const PID = 1;

function disk(): { lab: LabFiles } & ReturnType<typeof portFiles> {
  const lab = new LabFiles();
  lab.files.attach(PID);
  const made = portFiles({ blocking: (call) => lab.files.blocking(PID, call) }, () => 1_000_000);
  layUnits(["systemd", "corosync"], {
    file: (path, text) => void expect(made.edits.write(path, utf8(text))).toBeUndefined(),
    link: (path, target) => void expect(made.edits.symlink(target, path)).toBeUndefined(),
  });
  return { lab, ...made };
}

it("reads what was laid, through links, and nothing that is not there", () => {
  const { lab, files, edits } = disk();
  lab.now = 7;
  expect(edits.write("/etc/long", new Uint8Array(200_000).fill(65))).toBeUndefined();
  expect(files.read("/etc/long")?.length).toBe(200_000);
  expect(files.stat("/etc/long")).toMatchObject({ type: "file", size: 200_000, mtimeUnixMicros: 1_000_007 });
  expect(fromUtf8(files.read("/lib/systemd/system/default.target") ?? new Uint8Array())).toContain("Description=Multi-User System");
  expect(files.readlink("/lib/systemd/system/default.target")).toBe("multi-user.target");
  expect(files.list("/etc/systemd/system/multi-user.target.wants")).toEqual(["corosync.service", "remote-fs.target"]);
  expect([files.read("/etc"), files.read("/none"), files.list("/none"), files.readlink("/etc/long"), files.stat("/none/x")]).toEqual(
    new Array(5).fill(undefined),
  );
});

it("units load from it, and enabling changes it", () => {
  const { files, edits } = disk();
  const host = { hostname: "pve1", machineId: "1", bootId: "2", kernel: "6" };
  const said: string[] = [];
  const unit = new UnitLoader(files, host, (_, level, text) => said.push(`${level} ${text}`)).load("corosync.service");
  expect([unit.loadState, unit.service?.type, said]).toEqual(["loaded", "notify", []]);
  const units = new UnitFiles(files, edits, host);
  expect(units.disable(["corosync.service"]).lines).toEqual(['Removed "/etc/systemd/system/multi-user.target.wants/corosync.service".']);
  expect(units.state("corosync.service")).toBe("disabled");
  units.mask(["corosync.service"]);
  expect(units.state("corosync.service")).toBe("masked");
  units.unmask(["corosync.service"]);
  units.enable(["corosync.service"]);
  expect(units.state("corosync.service")).toBe("enabled");
  expect(edits.symlink("/dev/null", "/lib/systemd/system/corosync.service")).toBe("EEXIST");
});
