/** Units that people have written themselves: a file in /etc/systemd/system, daemon-reload, and they are services of the node like any other: listed, started, failed, in its status. */
import { expect, test } from "vitest";
import type { MachineStatus } from "../../src/engine/kernel/index.ts";
import { confText, Operator } from "./operator.ts";

const node = (): Operator => new Operator(confText(1));

const units = (o: Operator): MachineStatus["units"] => o.world.status("node1").units;

/** A unit file with these lines of [Service]. */
async function unit(o: Operator, name: string, ...service: string[]): Promise<void> {
  const text = `[Unit]\\nDescription=${name} of ours\\n[Service]\\n${service.join("\\n")}\\n[Install]\\nWantedBy=multi-user.target\\n`;
  await o.say(1, `printf '${text}' > /etc/systemd/system/${name}.service`);
}

const journal = async (o: Operator, name: string): Promise<string[]> =>
  (await o.say(1, `journalctl -u ${name} -o cat`)).trimEnd().split("\n");

test("it is in status, in the lists, and can be started and stopped from outside", async () => {
  const o = node();
  await unit(o, "nap", "ExecStart=/bin/sleep 100");
  await o.say(1, "systemctl daemon-reload");
  expect(Object.keys(units(o))).toEqual(["corosync", "nap"]);
  expect(await o.say(1, "systemctl list-unit-files nap.service --no-legend")).toBe("nap.service disabled enabled\n");
  expect((await o.type(1, "systemctl enable --now nap")).status).toBe(0);
  expect(units(o)["nap"]).toBe("active");
  expect(await o.say(1, "systemctl list-units nap.service --no-legend --plain")).toBe("nap.service loaded active running nap of ours\n");
  expect(await o.say(1, "ps -C sleep -o args=,unit=")).toMatch(/^\/bin\/sleep 100 +nap\.service\n$/);
  o.service(1, "kill", "nap");
  expect(units(o)["nap"]).toBe("failed");
  await o.say(1, "rm /etc/systemd/system/nap.service");
  expect(Object.keys(units(o))).toEqual(["corosync"]);
});

test.each([
  ["/bin/true", "0", "inactive"],
  ["/bin/false", "1", "failed"],
  ["/bin/sh -c 'exit 7'", "7", "failed"],
  ["/bin/sh -c 'false || true; echo \"a b\"'", "0", "inactive"],
  ["/bin/sleep 1", "0", "inactive"],
])("ExecStart=%s ends with %s", async (command, status, state) => {
  const o = node();
  await unit(o, "own", "Type=oneshot", `ExecStart=${command.replaceAll("'", "'\\''")}`);
  expect((await o.type(1, "systemctl start own")).status).toBe(status === "0" ? 0 : 1);
  expect(await o.say(1, "systemctl show own -p ExecMainStatus --value")).toBe(`${status}\n`);
  expect(units(o)["own"]).toBe(state);
});

test("what it prints is in the journal, and what it writes on the disk", async () => {
  const o = node();
  await unit(
    o,
    "own",
    "Type=oneshot",
    "ExecStart=/bin/echo hello there",
    'ExecStart=/bin/sh -c "echo one > /root/out; echo two >> /root/out"',
  );
  await o.say(1, "systemctl start own");
  expect(await journal(o, "own")).toEqual(expect.arrayContaining(["hello there"]));
  expect(await o.say(1, "journalctl -u own -t echo -n 1")).toMatch(/ echo\[\d+\]: hello there\n$/);
  expect(await o.say(1, "cat /root/out")).toBe("one\ntwo\n");
});

test("a script runs by what its first line names; one that has more than simple lines says what it is that the lab has not", async () => {
  const o = node();
  await o.say(
    1,
    "mkdir -p /usr/local/bin; printf '#!/bin/sh\\n# ours\\necho begins\\nsleep 3 && echo ends\\n' > /usr/local/bin/own.sh; chmod 755 /usr/local/bin/own.sh",
  );
  await unit(o, "own", "ExecStart=/usr/local/bin/own.sh");
  await o.say(1, "systemctl start own");
  o.wait(1);
  expect(units(o)["own"]).toBe("active");
  expect(await o.say(1, "ps --no-headers -o args --ppid 1 -C sh")).toContain("/bin/sh /usr/local/bin/own.sh\n");
  o.wait(5);
  expect(await journal(o, "own")).toEqual(expect.arrayContaining(["begins", "ends"]));
  await o.say(1, "printf '#!/bin/sh\\nfor i in 1 2; do echo $i; done\\n' > /usr/local/bin/own.sh; systemctl restart own");
  o.wait(1);
  expect(await journal(o, "own")).toEqual(
    expect.arrayContaining([
      "sh: for: not modelled in this lab",
      "own.service: Main process exited, code=exited, status=2/INVALIDARGUMENT",
    ]),
  );
});

test.each([
  ["/opt/none", "", "No such file or directory"],
  ["/opt/plain", "touch /opt/plain", "Permission denied"],
  ["/opt/other", "printf '#!/usr/bin/python3\\nprint(1)\\n' > /opt/other; chmod +x /opt/other", "not modelled in this lab"],
  ["/opt/binary", "printf 'ELF' > /opt/binary; chmod +x /opt/binary", "not modelled in this lab"],
])("ExecStart=%s cannot be executed: status 203", async (path, before, why) => {
  const o = node();
  await o.say(1, `mkdir -p /opt; ${before === "" ? "true" : before}`);
  await unit(o, "own", `ExecStart=${path}`);
  await o.type(1, "systemctl start own");
  o.wait(1);
  expect(await journal(o, "own")).toEqual(
    expect.arrayContaining([
      `own.service: Failed at step EXEC spawning ${path}: ${why}`,
      "own.service: Main process exited, code=exited, status=203/EXEC",
    ]),
  );
  expect(units(o)["own"]).toBe("failed");
});
