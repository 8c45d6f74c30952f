/**
 * The programs on the disk of an installed machine, as files: where they lie and what can be read in them. In the real stack: the ELF files of Debian's and Proxmox VE's packages. Here each is the header
 * of one, followed by the name of the program that it is; whoever is asked to run such a file, wherever it was copied, runs the program of that name. What a program does stands elsewhere: the engine's
 * in `command/` and `node/`, the shell's in `src/main/shell/userland`. Left out: programs that nobody of the lab knows, libraries, and sizes.
 */
import { fromUtf8, utf8 } from "../kernel/index.ts";

/** /usr/bin of every machine. */
const BIN =
  "[ apt apt-cache apt-get apt-mark arch at awk base64 basename bash busctl bzip2 cat chgrp chmod chown chronyc clear cmp column comm cp crontab curl cut dash date dd df diff dig dir dirname dmesg " +
  "dpkg du echo ed egrep env expand expr false fgrep find fold free fuser gawk getent grep gunzip gzip head hexdump host hostname hostnamectl htop id ionice iostat iotop iperf iperf3 join journalctl jq " +
  "kill killall last less ln loginctl ls lsblk lscpu lsof lspci lsusb make man mawk md5sum mkdir mktemp more mount mtr mv nano nc networkctl nice nl nmap nohup nproc nslookup od openssl passwd paste perl " +
  "pgrep pidof ping pkill printenv printf ps pwd python3 readlink realpath resolvectl rev rm rmdir rsync sar scp screen sed seq sftp sh sha1sum sha256sum sleep sort ss ssh ssh-copy-id ssh-keygen " +
  "ssh-keyscan stat stdbuf strace strings su sudo sync systemctl systemd-analyze tac tail tar tee telnet test time timedatectl timeout tmux top touch tr true truncate tty umount uname unexpand uniq unzip " +
  "uptime vi vim vmstat w watch wc wget which who whoami xargs xxd xz yes zcat zip";

/** /usr/sbin of every machine. */
const SBIN =
  "arp blkid bridge ebtables ethtool fdisk groupadd halt hwclock ifconfig ifdown ifreload iftop ifup init ip ip6tables iptables lsmod lvcreate lvs mdadm modprobe netstat nft ntpdate parted poweroff pvs " +
  "reboot rmmod route service shutdown smartctl tc tcpdump traceroute update-rc.d useradd userdel usermod vgs zfs zpool";

/** What packages bring, by their names in Debian. */
const PACKAGED: Readonly<Record<string, { readonly bin: string; readonly sbin: string }>> = {
  corosync: {
    bin: "ceph corosync-blackbox corosync-xmlproc kvm lxc-ls pmxcfs proxmox-boot-tool pveceph pveperf pvereport pvesh pvesm pvesubscription pveum pveversion qemu-img qmrestore rados rbd",
    sbin:
      "corosync corosync-cfgtool corosync-cmapctl corosync-cpgtool corosync-keygen corosync-notifyd corosync-quorumtool ha-manager pct pve-efiboot-tool pve-firewall pvebanner pvecm pvedaemon pvenode pveproxy " +
      "pvesr pvestatd pveupdate pveupgrade qm vzdump",
  },
  "corosync-qdevice": { bin: "", sbin: "corosync-qdevice corosync-qdevice-net-certutil corosync-qdevice-tool" },
  "corosync-qnetd": { bin: "corosync-qnetd corosync-qnetd-certutil corosync-qnetd-tool", sbin: "" },
};

/** The 64 bytes that an executable of x86-64 begins with. */
const ELF = Uint8Array.from(
  { length: 64 },
  (_, i) => [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0x3e, 0, 1][i] ?? 0,
);

function image(name: string): Uint8Array {
  const bytes = utf8(name);
  const data = new Uint8Array(ELF.length + bytes.length + 1);
  data.set(ELF);
  data.set(bytes, ELF.length);
  return data;
}

/** The name of the program that a file is; undefined where it is none. */
export function programIn(data: Uint8Array): string | undefined {
  if (data.length <= ELF.length || !ELF.every((byte, i) => data[i] === byte)) return undefined;
  const end = data.indexOf(0, ELF.length);
  return fromUtf8(data.subarray(ELF.length, end < 0 ? data.length : end));
}

export interface ProgramFile {
  readonly path: string;
  readonly data: Uint8Array;
}

/** Every program of a machine with these packages. */
export function programFiles(packages: readonly string[]): ProgramFile[] {
  const brought = packages.flatMap((name) => PACKAGED[name] ?? []);
  const files = (directory: string, lists: readonly string[]): ProgramFile[] =>
    lists
      .flatMap((list) => list.split(" "))
      .filter((name) => name !== "")
      .map((name) => ({ path: `${directory}/${name}`, data: image(name) }));
  return [...files("/usr/bin", [BIN, ...brought.map((b) => b.bin)]), ...files("/usr/sbin", [SBIN, ...brought.map((b) => b.sbin)])];
}
