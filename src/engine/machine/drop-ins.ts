/** Drop-ins of a unit: the files NAME.service.d/*.conf below /etc/systemd/system. Left out: other places, lists that an empty value clears, daemon-reload. */
import { fromUtf8 } from "../kernel/index.ts";
import { find, type DirectoryNode } from "./files.ts";

/** The value of `setting` that counts: the last one in the order of the files' names. */
export function dropIn(root: DirectoryNode, unit: string, setting: string): string | undefined {
  const found = find(root, `/etc/systemd/system/${unit}.service.d`);
  if (!found.ok || found.value.type !== "directory") return undefined;
  let value: string | undefined;
  for (const { name, node } of found.value.entries) {
    if (!name.endsWith(".conf") || node.type !== "file") continue;
    for (const line of fromUtf8(node.data).split("\n")) {
      const [key, ...rest] = line.split("=");
      if (rest.length > 0 && key?.trim() === setting) value = rest.join("=").trim();
    }
  }
  return value;
}
