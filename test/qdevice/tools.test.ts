/** What the quorum device's daemon makes of commands and of a tool behind its back. Lines are those of corosync-qdevice 3.0.3 where it has any for the case. */
import { describe, expect, test } from "vitest";
import { Operator, confText } from "../node/operator.ts";

const conf = (heuristics = ""): string =>
  confText(2, {
    quorum: `  device {\n    model: net\n    votes: 1\n    net {\n      algorithm: ffsplit\n      host: 10.10.0.200\n      tls: off\n    }\n${heuristics}  }\n`,
  });

const DEVICE = "corosync-qdevice";

describe("heuristics", () => {
  const withExec = (command: string): string =>
    conf(`    heuristics {\n      mode: on\n      timeout: 1000\n      sync_timeout: 1000\n      exec_a: ${command}\n    }\n`);
  const told = async (operator: Operator): Promise<string> =>
    /Last heuristics:\s+(\S+)|Heuristics:\s+(\S+)/i.exec((await operator.type(0, "corosync-qnetd-tool -lv")).stdout)?.[0] ?? "nothing";

  test.each([
    ["/bin/true", "Pass"],
    ["/bin/false", "Fail"],
    ["/usr/bin/test -f /etc/corosync/corosync.conf", "Pass"],
    ["/usr/bin/test -f /no/such/file", "Fail"],
    ["/usr/bin/test -r /etc/hosts", "Pass"],
    ["/bin/ping -q -c 1 10.10.0.200", "Pass"],
    ["/usr/bin/ping -q -c 1 -W 1 10.10.0.77", "Fail"],
    // Killed when its time is over, long before the ten seconds that ping waits.
    ["/usr/bin/ping -q -c 1 10.10.0.77", "Fail"],
    // There is none: the child of the daemon fails to become it, and nobody says so.
    ["/usr/local/bin/check.sh", "Fail"],
  ])("%s is run: %s", async (command, result) => {
    const operator = Operator.up(withExec(command));
    expect(await told(operator)).toContain(result);
    expect(operator.journal(1, 0, DEVICE).join("\n")).not.toContain("not modelled");
  });

  test.each(["/usr/bin/curl -sf http://10.10.0.200/", "wget -q http://10.10.0.200/"])(
    "%s is none that the lab runs: it fails, and the journal says why",
    async (command) => {
      const operator = Operator.up(withExec(command));
      expect(await told(operator)).toContain("Fail");
      expect(operator.journal(1, 0, DEVICE)).toContain(`${DEVICE}: heuristics: ${command}: not modelled in this lab, taken as failed`);
    },
  );
});

test("corosync-quorumtool -f takes the device's registration from it: the vote is gone at once, and its daemon ends at its next poll", async () => {
  const operator = Operator.up(conf());
  expect((await operator.type(1, "corosync-quorumtool")).stdout).toContain("Total votes:      3\n");
  const from = operator.journalLength(1);
  expect(await operator.say(1, "corosync-quorumtool -f")).toBe("");
  const { stdout } = await operator.type(1, "corosync-quorumtool");
  expect(stdout).toContain("Expected votes:   3\nHighest expected: 3\nTotal votes:      2\n");
  expect(stdout).toContain("         1          1         NR node1 (local)\n         2          1    A,V,NMW node2\n");
  expect(stdout).toContain("         0          0            Qdevice (votes 1)\n");
  expect(await operator.say(1, "corosync-quorumtool -f")).toBe("");
  operator.wait(6);
  const said = operator.journal(1, from, DEVICE).filter((line) => !line.includes("debug"));
  expect(said).toContain(`${DEVICE}: Can't call votequorum_qdevice_poll. Error CS_ERR_NOT_EXIST`);
  expect(said).toContain(`${DEVICE}: qdevice_model_net_run fatal error.  Can't update cast vote timer vote`);
  expect(said).toContain(`${DEVICE}: Unable to unregister votequorum device. Error CS_ERR_NOT_EXIST`);
  expect(said).toContain(`systemd: ${DEVICE}.service: Main process exited, code=exited, status=1/FAILURE`);
});
