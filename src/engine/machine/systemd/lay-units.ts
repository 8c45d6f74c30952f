/**
 * Puts the unit files of packages on a new disk, with the links that enable them. In the real stack: what dpkg unpacks and deb-systemd-helper does on a new installation.
 */
import { LIB_UNITS, baseName } from "./files.ts";
import { journalUnit } from "./names.ts";
import { UNIT_PACKAGES } from "./unit-files.ts";

export interface UnitDisk {
  file(path: string, text: string, mode?: number): void;
  link(path: string, target: string): void;
}

/**
 * @param packages by their names; those without unit files add nothing
 * @param disabled services that are not to be started at boot, without suffix
 */
export function layUnits(packages: readonly string[], disk: UnitDisk, disabled: readonly string[] = []): void {
  const stays = new Set(disabled.map((unit) => `${unit}.service`));
  for (const { name, files, links, scripts } of UNIT_PACKAGES) {
    if (!packages.includes(name)) continue;
    for (const file of files) disk.file(`${LIB_UNITS}/${file.name}`, file.text);
    for (const { path, target } of links) if (!stays.has(baseName(path))) disk.link(path, target);
    for (const { name: script, text } of scripts) disk.file(`/etc/init.d/${script}`, text, 0o755);
  }
}

/** The services that these packages bring, without suffix, each with what its ExecStart= runs. */
export function packagedServices(packages: readonly string[]): { readonly name: string; readonly path: string }[] {
  return UNIT_PACKAGES.filter(({ name }) => packages.includes(name)).flatMap(({ files }) =>
    files.flatMap(({ name, text }) => {
      const path = /^ExecStart=[-@:+!]*(\S+)/m.exec(text)?.[1];
      return name.endsWith(".service") && path !== undefined ? [{ name: journalUnit(name), path }] : [];
    }),
  );
}
