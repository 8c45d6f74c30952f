/**
 * Puts the unit files of packages on a new disk, with the links that enable them. In the real stack: what dpkg unpacks and deb-systemd-helper does on a new installation.
 */
import { LIB_UNITS } from "./files.ts";
import { UNIT_PACKAGES } from "./unit-files.ts";

export interface UnitDisk {
  file(path: string, text: string): void;
  link(path: string, target: string): void;
}

/** @param packages by their names; those without unit files add nothing */
export function layUnits(packages: readonly string[], disk: UnitDisk): void {
  for (const { name, files, links } of UNIT_PACKAGES) {
    if (!packages.includes(name)) continue;
    for (const file of files) disk.file(`${LIB_UNITS}/${file.name}`, file.text);
    for (const { path, target } of links) disk.link(path, target);
  }
}
