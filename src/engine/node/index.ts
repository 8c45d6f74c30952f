/** One node: the public face. */
export { Node, makeMachine, makeNode, unitNames } from "./node.ts";
export type { BroughtProgram } from "./programs.ts";
