/** The menu. A terminal owns every Ctrl+letter, so nothing here takes one: only Ctrl+Shift and function keys (on a Mac the Command key is free). */
import { Menu, type MenuItemConstructorOptions } from "electron";

export interface MenuActions {
  importConf(): void;
  exportConf(): void;
  palette(): void;
  closeWindow(): void;
  quit(): void;
}

export function buildMenu(actions: MenuActions, mac = process.platform === "darwin"): Menu {
  const file: MenuItemConstructorOptions[] = [
    { label: "New lab from corosync.conf…", accelerator: mac ? "Cmd+O" : "Ctrl+Shift+O", click: actions.importConf },
    { label: "Export configuration…", click: actions.exportConf },
    { type: "separator" },
    { label: "Close window", accelerator: mac ? "Cmd+W" : "Ctrl+Shift+W", click: actions.closeWindow },
    ...(mac ? [] : [{ label: "Quit", accelerator: "Ctrl+Shift+Q", click: actions.quit }]),
  ];
  const view: MenuItemConstructorOptions[] = [
    { label: "Command palette…", accelerator: "F1", click: actions.palette },
    { type: "separator" },
    { role: "resetZoom" },
    { role: "zoomIn" },
    { role: "zoomOut" },
    { role: "togglefullscreen" },
    { type: "separator" },
    { role: "toggleDevTools", accelerator: mac ? "Alt+Cmd+I" : "Ctrl+Shift+I" },
  ];
  const template: MenuItemConstructorOptions[] = [
    ...(mac ? [{ role: "appMenu" } satisfies MenuItemConstructorOptions] : []),
    { label: "File", submenu: file },
    ...(mac ? [{ role: "editMenu" } satisfies MenuItemConstructorOptions] : []),
    { label: "View", submenu: view },
    { role: "windowMenu", ...(mac ? {} : { submenu: [{ role: "minimize", accelerator: "" }] }) },
  ];
  return Menu.buildFromTemplate(template);
}
