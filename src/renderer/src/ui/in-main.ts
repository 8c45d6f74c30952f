/** Where menus and lists that open have their room: between the bars, which would lie over them. */
export const inMain = (): Element | null => document.querySelector("main");
