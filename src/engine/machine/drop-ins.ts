/** Drop-ins of a unit: the files NAME.service.d/*.conf below /etc/systemd/system. Left out: other places, lists that an empty value clears, daemon-reload. */
import { fromUtf8 } from "../kernel/index.ts";
import { contentsOf, peek, type Files } from "./files/index.ts";

/** The value of `setting` that counts: the last one in the order of the files' names. */
export function dropIn(files: Files, unit: string, setting: string): string | undefined {
  const path = `/etc/systemd/system/${unit}.service.d`;
  const listed = peek(files, undefined, { call: "readdir", path });
  if (typeof listed === "string" || !listed.ok || listed.value !== "entries") return undefined;
  let value: string | undefined;
  for (const { name } of listed.entries) {
    if (!name.endsWith(".conf")) continue;
    for (const line of fromUtf8(contentsOf(files, `${path}/${name}`) ?? new Uint8Array(0)).split("\n")) {
      const [key, ...rest] = line.split("=");
      if (rest.length > 0 && key?.trim() === setting) value = rest.join("=").trim();
    }
  }
  return value;
}
