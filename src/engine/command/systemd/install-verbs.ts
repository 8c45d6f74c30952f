/** The verbs of systemctl(1), "Unit File Commands", that change which files are linked where. */
export const INSTALL_VERBS = ["enable", "disable", "reenable", "mask", "unmask", "set-default"] as const;
export type InstallVerb = (typeof INSTALL_VERBS)[number];
