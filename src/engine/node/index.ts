/** One node: the public face. */
export { Node, makeMachine, makeNode, type DaemonSocket } from "./node.ts";
