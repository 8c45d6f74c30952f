/** One node: the public face. */
export { Node, makeNode } from "./node.ts";
