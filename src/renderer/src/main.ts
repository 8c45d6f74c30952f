/** The page begins: it connects, and draws what the lab reports. */
import "./jitless.ts";
import "@xterm/xterm/css/xterm.css";
import "./tokens.css";
import "./base.css";
import { mount } from "svelte";
import App from "./App.svelte";
import { makeConnection } from "./channel.ts";
import LoneTerminal from "./dock/LoneTerminal.svelte";
import { loneNode } from "./dock/open-tabs.ts";
import { makeTerminals } from "./dock/terminals.svelte.ts";
import { makeLab } from "./lab.svelte.ts";
import { makePrefs } from "./prefs.svelte.ts";
import { makePlace } from "./selection.svelte.ts";

const target = document.getElementById("app");
if (target === null) throw new Error("the page has no place to draw in");

const connection = makeConnection();
const lab = makeLab(connection);
const prefs = makePrefs();
const page = { lab, prefs, place: makePlace(), terminals: makeTerminals(lab) };
const node = loneNode();
if (node === undefined) mount(App, { target, props: { page } });
else mount(LoneTerminal, { target, props: { page, node } });
connection.connect();
