/** One node: the public face. */
export { Node, makeNode, type DaemonSocket } from "./node.ts";
