/** One node: the public face. */
export { Node, makeMachine, makeNode, unitNames, type DaemonSocket } from "./node.ts";
