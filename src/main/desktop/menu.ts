/** The menu. A terminal owns every Ctrl+letter, so nothing here takes one: only Ctrl+Shift and function keys (on a Mac the Command key is free). */
import { Menu, type MenuItemConstructorOptions } from "electron";

export interface MenuActions {
  openLab(): void;
  importConf(): void;
  exportConf(): void;
  palette(): void;
  reload(): void;
  about(): void;
  licences(): void;
  chromiumLicences(): void;
  closeWindow(): void;
  quit(): void;
}

export function buildMenu(actions: MenuActions, mac = process.platform === "darwin"): Menu {
  const file: MenuItemConstructorOptions[] = [
    { label: "Open lab…", accelerator: mac ? "Cmd+L" : "Ctrl+Shift+L", click: actions.openLab },
    { label: "New lab from corosync.conf…", accelerator: mac ? "Cmd+O" : "Ctrl+Shift+O", click: actions.importConf },
    { label: "Export configuration…", click: actions.exportConf },
    { type: "separator" },
    { label: "Close window", accelerator: mac ? "Cmd+W" : "Ctrl+Shift+W", click: actions.closeWindow },
    ...(mac ? [] : [{ label: "Quit", accelerator: "Ctrl+Shift+Q", click: actions.quit }]),
  ];
  const view: MenuItemConstructorOptions[] = [
    { label: "Command palette…", accelerator: "F1", click: actions.palette },
    { label: "Reload", accelerator: mac ? "Cmd+R" : "Ctrl+Shift+R", click: actions.reload },
    { type: "separator" },
    { role: "resetZoom" },
    { role: "zoomIn" },
    { role: "zoomOut" },
    { role: "togglefullscreen" },
    { type: "separator" },
    { role: "toggleDevTools", accelerator: mac ? "Alt+Cmd+I" : "Ctrl+Shift+I" },
  ];
  const help: MenuItemConstructorOptions[] = [
    { label: "About Quorate", click: actions.about },
    { label: "Licences…", click: actions.licences },
    { label: "Licences of Chromium…", click: actions.chromiumLicences },
  ];
  const template: MenuItemConstructorOptions[] = [
    ...(mac ? [{ role: "appMenu" } satisfies MenuItemConstructorOptions] : []),
    { label: "File", submenu: file },
    ...(mac ? [{ role: "editMenu" } satisfies MenuItemConstructorOptions] : []),
    { label: "View", submenu: view },
    { role: "windowMenu", ...(mac ? {} : { submenu: [{ role: "minimize", accelerator: "" }] }) },
    { role: "help", submenu: help },
  ];
  return Menu.buildFromTemplate(template);
}
