/** enable, disable, mask, unmask: the links, what is printed of them, and the states of unit files. */
import { describe, expect, it } from "vitest";
import { systemdView, UnitFiles, unitStatuses } from "../../src/engine/machine/systemd/index.ts";
import { DAEMON, TestMachine } from "./systemd-machine.ts";

const LIB = "/lib/systemd/system";
const ETC = "/etc/systemd/system";

function disk(): { m: TestMachine; files: UnitFiles } {
  const m = new TestMachine();
  const service = "[Service]\nExecStart=/bin/true\n";
  m.write(
    `${LIB}/foo.service`,
    `${service}[Install]\nWantedBy=multi-user.target\nRequiredBy=bar.target\nAlias=foo-alias.service\nAlso=baz.service\n`,
  );
  m.write(`${LIB}/baz.service`, `${service}[Install]\nWantedBy=multi-user.target\n`);
  m.write(`${LIB}/st.service`, service);
  m.write(`${LIB}/t@.service`, `${service}[Install]\nWantedBy=multi-user.target\nDefaultInstance=one\n`);
  const { files, edits, host } = m.manager.hooks;
  return { m, files: new UnitFiles(files, edits, host) };
}

describe("unit files", () => {
  it("enable makes the links of [Install], of Also= too; disable takes them away", () => {
    const { m, files } = disk();
    expect(["foo.service", "baz.service", "st.service", "t@.service", "none.service"].map((n) => files.state(n))).toEqual([
      "disabled",
      "disabled",
      "static",
      "disabled",
      undefined,
    ]);
    expect(files.enable(["foo.service"]).lines).toEqual([
      `Created symlink ${ETC}/foo-alias.service → ${LIB}/foo.service.`,
      `Created symlink ${ETC}/multi-user.target.wants/foo.service → ${LIB}/foo.service.`,
      `Created symlink ${ETC}/bar.target.requires/foo.service → ${LIB}/foo.service.`,
      `Created symlink ${ETC}/multi-user.target.wants/baz.service → ${LIB}/baz.service.`,
      `Unit ${LIB}/foo.service is added as a dependency to a non-existent unit bar.target.`,
    ]);
    expect(["foo.service", "baz.service", "foo-alias.service"].map((n) => files.state(n))).toEqual(["enabled", "enabled", "alias"]);
    expect(files.enable(["baz.service"]).lines).toEqual([]);
    expect([...files.disable(["foo.service"]).lines].sort()).toEqual([
      `Removed "${ETC}/bar.target.requires/foo.service".`,
      `Removed "${ETC}/foo-alias.service".`,
      `Removed "${ETC}/multi-user.target.wants/baz.service".`,
      `Removed "${ETC}/multi-user.target.wants/foo.service".`,
    ]);
    expect(files.state("foo.service")).toBe("disabled");
    expect(m.exists(`${ETC}/multi-user.target.wants/remote-fs.target`)).toBe(true);
  });

  it("templates are enabled by instance; --runtime goes to /run", () => {
    const { files } = disk();
    expect(files.enable(["t@two.service", "t@.service"]).lines).toEqual([
      `Created symlink ${ETC}/multi-user.target.wants/t@two.service → ${LIB}/t@.service.`,
      `Created symlink ${ETC}/multi-user.target.wants/t@one.service → ${LIB}/t@.service.`,
    ]);
    expect(["t@two.service", "t@three.service", "t@.service"].map((n) => files.state(n))).toEqual(["enabled", "disabled", "enabled"]);
    files.enable(["baz.service"], true);
    expect(files.state("baz.service")).toBe("enabled-runtime");
  });

  it("a masked unit cannot be enabled, one that is not there neither; static ones have nothing to do", () => {
    const { m, files } = disk();
    expect(files.mask(["foo.service"]).lines).toEqual([`Created symlink ${ETC}/foo.service → /dev/null.`]);
    expect(files.mask(["foo.service"]).lines).toEqual([]);
    expect(files.state("foo.service")).toBe("masked");
    expect(files.enable(["foo.service"]).error).toBe(`Unit file ${ETC}/foo.service is masked.`);
    expect(files.unmask(["foo.service"]).lines).toEqual([`Removed "${ETC}/foo.service".`]);
    expect(files.enable(["none.service"]).error).toBe("Unit file none.service does not exist.");
    expect(files.mask(["none.service"]).lines[0]).toBe("Unit none.service does not exist, proceeding anyway.");
    expect(files.enable(["st.service"])).toEqual({ lines: [], error: undefined, nothingToDo: true });
    files.mask(["baz.service"], true);
    expect(files.state("baz.service")).toBe("masked-runtime");
    m.unit("own.service", "[Service]\nExecStart=/bin/true\n");
    expect(files.mask(["own.service"]).error).toBe(`File ${ETC}/own.service already exists.`);
  });
});

describe("the view", () => {
  it("asks about units that are not loaded without loading them, and tells that a file has changed", () => {
    const { m } = disk();
    m.behaviours.set("true", DAEMON);
    m.boot();
    const view = systemdView(m.manager);
    const before = m.digest();
    expect(view.unit("baz.service").unit.loadState).toBe("loaded");
    expect(view.unit("none.service").unit.loadState).toBe("not-found");
    expect(m.digest()).toBe(before);
    m.manager.request("baz.service", "start");
    expect(view.unit("baz.service").stale).toBe(false);
    m.write(`${LIB}/baz.service`, "[Unit]\nDescription=Other\n[Service]\nExecStart=/bin/true\n");
    expect(view.unit("baz.service").stale).toBe(true);
    expect(unitStatuses(m.manager).find((u) => u.name === "baz")).toMatchObject({ state: "active", sub: "running", wantedAtBoot: false });
  });
});
