/// <reference path="../../../node_modules/node-pty/node-pty.d.ts" />
// The package is installed under the name of the project it was built from; its types bear its own name.
declare module "node-pty" {
  export * from "@lydell/node-pty";
}
