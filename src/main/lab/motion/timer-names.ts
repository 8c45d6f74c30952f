/** The timers of a machine as the field calls them. */

const NAMES: { readonly [name: string]: string } = {
  "totem/token": "token timer",
  "totem/warning": "token warning",
  "totem/retransmit": "token retransmit timer",
  "totem/hold": "hold timer",
  "totem/merge": "merge detect timer",
  "totem/join": "join timer",
  "totem/send-join": "first join",
  "totem/consensus": "consensus timer",
  "totem/stored": "ring ID stored",
  "totem/stats": "statistics of totem",
  "knet/wake": "knet heartbeat",
  "votequorum/last_man_standing": "last_man_standing window",
  tick: "scheduling check of corosync",
  "power/boot": "boot",
  "power/off": "power off",
  "disk/written": "disk write",
};

/** `program` is "" for the machine itself. */
export function timerName(program: string, name: string): string {
  const known = NAMES[name];
  if (known !== undefined) return known;
  if (program === "") return name.startsWith("unit/") ? `systemd: ${name.slice("unit/".length)}` : name;
  return `${program}: ${name}`;
}
