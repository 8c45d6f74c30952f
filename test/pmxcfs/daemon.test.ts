/** What the daemon of three nodes says as it begins, fails to begin, loses and finds its group (recorded: 07, 16, 21), and where it copies corosync.conf (30). */
import { expect, test } from "vitest";
import { Cluster, confText } from "./cluster.ts";

const out = async (cluster: Cluster, node: string, line: string): Promise<string> => {
  const { stdout, stderr } = await cluster.type(node, line);
  return stdout + stderr;
};

/** Numbers of processes and epochs are blank. */
const blank = (lines: readonly string[]): string[] =>
  lines.map((line) => line.replaceAll(/(\d)\/\d+/g, "$1/*").replace(/\/[0-9A-F]{8}\)/, "/*)"));

test("all boot to one tree, whose first file is each node's own corosync.conf", async () => {
  const cluster = Cluster.formed();
  const [first, ...others] = ["pve1", "pve2", "pve3"].map((name) => cluster.world.status(name));
  expect(first?.pmxcfs).toMatchObject({ mode: "cluster", writable: true, synced: true, online: [1, 2, 3] });
  expect(first?.units["pve-cluster"]).toBe("active");
  for (const other of others) expect(other.pmxcfs?.digest).toBe(first?.pmxcfs?.digest);
  expect(await out(cluster, "pve2", "cat /etc/pve/corosync.conf")).toBe(confText());
  // The recorded start before corosync: eight lines that mean nothing, and six seconds.
  expect(cluster.journal("pve1").slice(1, 11)).toEqual([
    "[quorum] crit: quorum_initialize failed: CS_ERR_LIBRARY (failed to connect to corosync)",
    "[quorum] crit: can't initialize service",
    "[confdb] crit: cmap_initialize failed: CS_ERR_LIBRARY (failed to connect to corosync)",
    "[confdb] crit: can't initialize service",
    "[dcdb] crit: cpg_initialize failed: CS_ERR_LIBRARY (failed to connect to corosync)",
    "[dcdb] crit: can't initialize service",
    "[status] crit: cpg_initialize failed: CS_ERR_LIBRARY (failed to connect to corosync)",
    "[status] crit: can't initialize service",
    "[status] notice: update cluster info (cluster name  lab, version = 3)",
    "[status] notice: node has quorum",
  ]);
});

test("16: a write in flight at a cut: the minority's daemon leaves its group, comes back, and is given what it missed", async () => {
  const cluster = Cluster.formed();
  await cluster.type("pve1", "mkdir /etc/pve/q; echo hi > /etc/pve/q/full");
  cluster.wait(0.1);
  const since = cluster.world.now;
  cluster.split(["pve1", "pve2"], ["pve3"]);
  cluster.wait(0.5);
  await cluster.type("pve3", "printf x >> /etc/pve/q/full");
  await cluster.type("pve1", "echo major > /etc/pve/q/full");
  cluster.wait(10);
  cluster.heal();
  cluster.wait(10);
  const said = blank(cluster.journal("pve3", since)).filter((line) => line.startsWith("[dcdb]"));
  expect(said).toEqual([
    "[dcdb] notice: members: 3/*",
    "[dcdb] crit: received write while not quorate - trigger resync",
    "[dcdb] crit: leaving CPG group",
    "[dcdb] notice: start cluster connection",
    "[dcdb] crit: cpg_join failed: CS_ERR_EXIST",
    "[dcdb] crit: can't initialize service",
    "[dcdb] notice: members: 3/*",
    "[dcdb] notice: all data is up to date",
    "[dcdb] notice: members: 1/*, 2/*, 3/*",
    "[dcdb] notice: starting data syncronisation",
    "[dcdb] notice: received sync request (epoch 1/*/*)",
    "[dcdb] notice: received all states",
    "[dcdb] notice: leader is 1/*",
    "[dcdb] notice: synced members: 1/*, 2/*",
    "[dcdb] notice: waiting for updates from leader",
    "[dcdb] notice: update complete - trying to commit (got 2 inode updates)",
    "[dcdb] notice: all data is up to date",
  ]);
});

test("a newer corosync.conf goes to every node, and corosync reads it a second later; an older one goes nowhere", async () => {
  const cluster = Cluster.formed();
  await cluster.type(
    "pve1",
    "sed 's/config_version: 3/config_version: 4/' /etc/pve/corosync.conf > /root/c; cp /root/c /etc/pve/corosync.conf.new; mv /etc/pve/corosync.conf.new /etc/pve/corosync.conf",
  );
  cluster.wait(0.1);
  for (const node of ["pve1", "pve2", "pve3"])
    expect(await out(cluster, node, "grep config_version /etc/corosync/corosync.conf")).toBe("  config_version: 4\n");
  cluster.wait(2);
  expect(await out(cluster, "pve2", "corosync-cmapctl totem.config_version; grep -o '\"version\": 4' /etc/pve/.members")).toBe(
    'totem.config_version (u64) = 4\n"version": 4\n',
  );
  const since = cluster.world.now;
  await cluster.type(
    "pve2",
    "sed 's/config_version: 4/config_version: 2/' /etc/pve/corosync.conf > /root/d; cp /root/d /etc/pve/corosync.conf.new; mv /etc/pve/corosync.conf.new /etc/pve/corosync.conf",
  );
  cluster.wait(0.1);
  for (const node of ["pve1", "pve2", "pve3"]) expect(cluster.journal(node, since)).toEqual(["[dcdb] crit: local corosync.conf is newer"]);
});

test("07: a second daemon, a name of the loopback, garbage for a database", async () => {
  const cluster = Cluster.formed();
  expect(await cluster.type("pve3", "pmxcfs -f")).toEqual({
    stdout: "",
    stderr:
      "[main] notice: resolved node name 'pve3' to '10.99.0.13' for default node IP address\n[main] notice: unable to acquire pmxcfs lock - trying again\n" +
      "[main] crit: unable to acquire pmxcfs lock: Resource temporarily unavailable\n[main] notice: exit proxmox configuration filesystem (-1)\n",
    status: 255,
  });
  expect(
    await out(cluster, "pve3", "systemctl stop pve-cluster; echo garbage > /var/lib/pve-cluster/config.db; pmxcfs -f; echo rc=$?"),
  ).toBe(
    "rc=255\n[main] notice: resolved node name 'pve3' to '10.99.0.13' for default node IP address\n[database] crit: unable to set WAL mode: file is not a database#010\n" +
      "[main] crit: memdb_open failed - unable to open database '/var/lib/pve-cluster/config.db'\n[main] notice: exit proxmox configuration filesystem (-1)\n",
  );
  expect(await out(cluster, "pve3", "grep -v pve3 /etc/hosts > /root/h; cp /root/h /etc/hosts; pmxcfs -f")).toBe(
    "[main] crit: Unable to resolve node name 'pve3' to a non-loopback IP address - missing entry in '/etc/hosts' or DNS?\n",
  );
});
