/**
 * Cards plugged into and pulled out of a computer, and its name changed: what that leaves on the disk and in the kernel. In the real stack: netlink, udev's
 * interface names, hostnamectl, and the person who keeps /etc/network/interfaces and /etc/hosts true. Left out: what other machines call it.
 */
import { NIC_MTU, fromUtf8, utf8, type HardwareAct, type MachineAct, type NicDesign, type NicStatus } from "../kernel/index.ts";
import { contentsOf, writeWhole, type Files } from "./files/index.ts";
import { interfaceStanza } from "./nics.ts";

const KINDS: ReadonlySet<MachineAct["kind"]> = new Set<HardwareAct["kind"]>([
  "nic-up",
  "nic-mtu",
  "nic-add",
  "nic-remove",
  "nic-rename",
  "net-renamed",
  "disk-device",
  "renamed",
  "release",
]);

export function isHardware(act: MachineAct): act is HardwareAct {
  return KINDS.has(act.kind);
}

const INTERFACES = "/etc/network/interfaces";

export function newNic(nic: NicDesign): NicStatus {
  return { name: nic.name, net: nic.net, address: nic.address, up: true, mtu: NIC_MTU };
}

/** Cards put in, pulled out and renamed. */
function changed<T extends NicDesign>(nics: readonly T[], act: HardwareAct, make: (nic: NicDesign) => T): T[] {
  switch (act.kind) {
    case "nic-add":
      return nics.toSpliced(act.place ?? nics.length, 0, make(act.nic));
    case "nic-remove":
      return nics.filter((n) => n.net !== act.net);
    case "nic-rename":
      return nics.map((n) => (n.net === act.net ? { ...n, name: act.to } : n));
    case "net-renamed":
      return nics.map((n) => (n.net === act.net ? { ...n, net: act.to } : n));
    default:
      return [...nics];
  }
}

/** What the machine is built of, after the act. */
export function changedCards(nics: readonly NicDesign[], act: HardwareAct): NicDesign[] {
  return changed(nics, act, (nic) => nic);
}

/** The cards as the kernel has them, after the act. */
export function changedNics(nics: readonly NicStatus[], act: HardwareAct): NicStatus[] {
  if (act.kind === "nic-up") return nics.map((n) => (n.net === act.net ? { ...n, up: act.up } : n));
  if (act.kind === "nic-mtu") return nics.map((n) => ({ ...n, mtu: act.nics.find((m) => m.net === n.net)?.mtu ?? n.mtu }));
  return changed(nics, act, newNic);
}

/** A file's text changed where there is such a file, and the disk takes it. */
function edit(files: Files, path: string, change: (text: string) => string): void {
  const found = contentsOf(files, path);
  if (found === undefined) return;
  const before = fromUtf8(found);
  const after = change(before);
  if (after !== before) writeWhole(files, path, utf8(after));
}

/** Without the lines that speak of this card: `auto NAME`, and `iface NAME` with what is indented under it. */
function withoutStanza(text: string, name: string): string {
  const kept: string[] = [];
  let inside = false;
  for (const line of text.split("\n")) {
    const fields = line.trim().split(/\s+/);
    if (fields[0] === "iface" || fields[0] === "auto" || fields[0] === "allow-hotplug") inside = fields[1] === name;
    else if (inside && fields[0] === "" && kept.at(-1) === "") continue;
    if (!inside || fields[0] === "") kept.push(line);
  }
  return kept.join("\n");
}

/** Changes the disk as the act leaves it. `nics` and `name`: as they were before it. */
export function changeDisk(files: Files, act: HardwareAct, nics: readonly NicStatus[], name: string): void {
  const card = "net" in act ? nics.find((n) => n.net === act.net)?.name : undefined;
  switch (act.kind) {
    case "nic-add":
      edit(files, INTERFACES, (text) => `${text}${text.endsWith("\n") ? "" : "\n"}\n${interfaceStanza(act.nic)}`);
      return;
    case "nic-remove":
      if (card !== undefined) edit(files, INTERFACES, (text) => withoutStanza(text, card));
      return;
    case "nic-rename":
      if (card === undefined) return;
      edit(files, INTERFACES, (text) =>
        text.replace(/^(\s*(?:auto|iface|allow-hotplug)\s+)(\S+)/gm, (line, head: string, word: string) =>
          word === card ? head + act.to : line,
        ),
      );
      return;
    case "renamed": {
      const renamed = (word: string): string =>
        word === name ? act.name : word.startsWith(`${name}.`) ? act.name + word.slice(name.length) : word;
      edit(files, "/etc/hosts", (text) => text.replace(/[^\s#]+/g, renamed));
      edit(files, "/etc/hostname", () => `${act.name}\n`);
      return;
    }
    case "disk-device":
      files.setDisk(act.fault, act.commitMicros);
      return;
    case "nic-up":
    case "nic-mtu":
    case "net-renamed":
    case "release":
      return;
  }
}
