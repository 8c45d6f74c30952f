/**
 * Real corosync daemons on this machine, each in namespaces of its own (mounts, network, host name, IPC, processes), joined by one bridge per link
 * in a namespace that has no way out. All their files lie on memory file systems inside. Each namespace lasts as long as the `cat` that is its
 * first process, and that reads from us: when we end, however that happens, it ends, and the kernel removes processes, interfaces and files with it.
 */
import { execFileSync, spawn, spawnSync, type ChildProcess } from "node:child_process";
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { RELEASES, profileOf, type Release } from "../../src/engine/config/index.ts";

const APT = { encoding: "utf8", timeout: 240_000, env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } } as const;
const POLICY = "/usr/sbin/policy-rc.d";
const PACKAGES = ["corosync", "iproute2", "util-linux"];
/** No tool that gets an answer takes so long. */
const ASK_MS = 30_000;
const DEVICE_PACKAGES = ["corosync-qdevice", "corosync-qnetd"];

function has(program: string): boolean {
  return spawnSync("sh", ["-c", `command -v ${program}`]).status === 0;
}

/** Installs Debian's packages without letting the package start the service. Returns why not, or undefined. */
function install(device: boolean): string | undefined {
  const programs = ["corosync", "ip", "unshare", "nsenter", ...(device ? DEVICE_PACKAGES : [])];
  if (programs.every(has)) return undefined;
  const packages = device ? [...PACKAGES, ...DEVICE_PACKAGES] : PACKAGES;
  const ours = !existsSync(POLICY);
  try {
    if (ours) {
      writeFileSync(POLICY, "#!/bin/sh\nexit 101\n");
      chmodSync(POLICY, 0o755);
    }
    const install = (): number | null => spawnSync("apt-get", ["install", "-y", "-q", "--no-install-recommends", ...packages], APT).status;
    if (install() === 0) return undefined;
    spawnSync("apt-get", ["update", "-q"], APT);
    return install() === 0 ? undefined : "apt-get could not install corosync";
  } finally {
    if (ours) rmSync(POLICY, { force: true });
  }
}

/**
 * Why real daemons cannot be run here; undefined if they can (then they are installed).
 * @param device those of the quorum device as well
 */
export function noRealHosts(device = false): string | undefined {
  if (process.platform !== "linux") return "not Linux";
  if (process.getuid?.() !== 0) return "not root";
  const os = existsSync("/etc/os-release") ? readFileSync("/etc/os-release", "utf8") : "";
  if (!/^ID=debian$/m.test(os) || !has("apt-get")) return "not Debian";
  if (spawnSync("unshare", ["-m", "-n", "-u", "-i", "-p", "--fork", "true"]).status !== 0) return "namespaces are not allowed";
  return install(device);
}

/** Daemons and tools of another directory than the system's, with their libraries (QUORATE_COROSYNC_PREFIX): for all processes that are started from here on. */
export function usePrefix(prefix: string | undefined): void {
  if (prefix === undefined || prefix === "") return;
  const before = (name: string, dirs: readonly string[]): void => {
    process.env[name] = [...dirs.map((dir) => `${prefix}/${dir}`), ...(process.env[name] === undefined ? [] : [process.env[name]])].join(
      ":",
    );
  };
  before("PATH", ["sbin", "bin"]);
  before("LD_LIBRARY_PATH", ["lib", "lib/x86_64-linux-gnu"]);
}

/** The release that the corosync found here is of. */
export function realRelease(): Release {
  const said = spawnSync("corosync", ["-v"], { encoding: "utf8" }).stdout;
  const version = /version '([0-9.]+)'/.exec(said)?.[1] ?? "";
  const release = RELEASES.find((name) => profileOf(name).corosync === version);
  if (release === undefined)
    throw new Error(
      `corosync ${version}: no release of the lab has it; there are ${RELEASES.map((r) => profileOf(r).corosync).join(", ")}`,
    );
  return release;
}

export interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** One namespace, held by a `cat` that is its init. */
class Box {
  private readonly holder: ChildProcess;
  readonly pid: number;

  constructor() {
    this.holder = spawn("unshare", ["-m", "-n", "-u", "-i", "-p", "--mount-proc", "--propagation", "private", "--kill-child", "cat"], {
      stdio: ["pipe", "ignore", "ignore"],
    });
    this.pid = this.waitForInit();
  }

  /** The pid of `cat`, as seen from here, once unshare has started it. */
  private waitForInit(): number {
    const outer = this.holder.pid ?? 0;
    for (let tries = 0; tries < 500; tries++) {
      const children = existsSync(`/proc/${outer}/task/${outer}/children`)
        ? readFileSync(`/proc/${outer}/task/${outer}/children`, "utf8").trim()
        : "";
      if (children !== "" && readFileSync(`/proc/${children}/comm`, "utf8").trim() === "cat") return Number(children);
      spawnSync("sleep", ["0.02"]);
    }
    throw new Error("the namespaces did not come up");
  }

  private enter(argv: readonly string[]): string[] {
    return ["-t", String(this.pid), "-m", "-n", "-u", "-i", "-p", "--", ...argv];
  }

  run(argv: readonly string[], input = ""): Ran {
    const { status, stdout, stderr } = spawnSync("nsenter", this.enter(argv), { input, encoding: "utf8", timeout: 60_000 });
    return { status, stdout, stderr };
  }

  /** Like run, while others go on; what takes longer than a tool may is killed. */
  ask(argv: readonly string[]): Promise<Ran> {
    return new Promise((resolve, reject) => {
      const child = spawn("nsenter", this.enter(argv), { stdio: ["ignore", "pipe", "pipe"], timeout: ASK_MS, killSignal: "SIGKILL" });
      let [stdout, stderr] = ["", ""];
      child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
      child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
      child.on("error", reject);
      child.on("close", (status) => resolve({ status, stdout, stderr }));
    });
  }

  /** A shell script that must succeed. */
  sh(script: string, input = ""): void {
    const { status, stderr } = this.run(["sh", "-ec", script], input);
    if (status !== 0) throw new Error(`${script}\n${stderr}`);
  }

  /** Runs on in the background until the box is closed. */
  background(argv: readonly string[]): ChildProcess {
    return spawn("nsenter", this.enter(argv), { stdio: "ignore" });
  }

  async close(): Promise<void> {
    const gone = new Promise<void>((resolve) => {
      if (this.holder.exitCode !== null || this.holder.signalCode !== null) resolve();
      else this.holder.once("exit", () => resolve());
    });
    this.holder.stdin?.end();
    this.holder.kill("SIGKILL");
    await gone;
  }
}

export interface HostPlan {
  readonly name: string;
  /** Address with prefix length per link; undefined: not on it. */
  readonly addresses: readonly (string | undefined)[];
}

const STATE = ["/etc/corosync", "/var/lib/corosync", "/var/log/corosync", "/run", "/dev/shm"];

/** Hosts on common networks, one network per link. Close them in a `finally`. */
export class RealHosts {
  private readonly boxes: Box[] = [];
  private readonly byName = new Map<string, Box>();

  constructor(plans: readonly HostPlan[]) {
    const hub = this.box();
    const links = Math.max(...plans.map((p) => p.addresses.length));
    for (let k = 0; k < links; k++) hub.sh(`ip link add link${k} type bridge stp_state 0 forward_delay 0; ip link set link${k} up`);
    plans.forEach((plan, i) => {
      const box = this.box();
      this.byName.set(plan.name, box);
      box.sh(
        `hostname ${plan.name}; ip link set lo up; for d in ${STATE.join(" ")}; do mkdir -p $d; mount -t tmpfs tmpfs $d; done; mkdir -p /run/corosync /run/corosync-qdevice /run/corosync-qnetd`,
      );
      plan.addresses.forEach((address, k) => {
        if (address === undefined) return;
        // made here, where both namespaces have a pid, and moved into them
        const [here, there] = [`qh${process.pid % 10_000}p${i}l${k}`, `qt${process.pid % 10_000}p${i}l${k}`];
        execFileSync("ip", [
          "link",
          "add",
          here,
          "netns",
          String(hub.pid),
          "type",
          "veth",
          "peer",
          "name",
          there,
          "netns",
          String(box.pid),
        ]);
        hub.sh(`ip link set ${here} master link${k} up`);
        box.sh(`ip link set ${there} name eno${k + 1}; ip addr add ${address} dev eno${k + 1} nodad; ip link set eno${k + 1} up`);
      });
    });
  }

  private box(): Box {
    const box = new Box();
    this.boxes.push(box);
    return box;
  }

  private at(name: string): Box {
    const box = this.byName.get(name);
    if (box === undefined) throw new Error(`no host ${name}`);
    return box;
  }

  run(name: string, ...argv: string[]): Ran {
    return this.at(name).run(argv);
  }

  /** Like run, while others go on. */
  ask(name: string, ...argv: string[]): Promise<Ran> {
    return this.at(name).ask(argv);
  }

  /** A shell script that must succeed. */
  sh(name: string, script: string): void {
    this.at(name).sh(script);
  }

  write(name: string, path: string, data: string, mode: string): void {
    this.at(name).sh(`cat > ${path}; chmod ${mode} ${path}`, data);
  }

  /** Copies a file between hosts, byte for byte. */
  copy(from: string, to: string, path: string): void {
    const encoded = this.run(from, "base64", path).stdout;
    this.at(to).sh(`base64 -d > ${path}; chmod 0400 ${path}`, encoded);
  }

  /** The daemon, as the unit runs it. */
  startCorosync(name: string): void {
    this.at(name).background(["corosync", "-f"]);
  }

  async close(): Promise<void> {
    for (const box of this.boxes.reverse()) await box.close();
  }
}
