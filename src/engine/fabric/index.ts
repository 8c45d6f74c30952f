/** The fabric: networks, switches, cables and what is wrong with them. */
export * from "./schema.ts";
export { Fabric, type FabricState, type Path } from "./fabric.ts";
export { applyFabricAct, checkFabricAct, listFaults } from "./faults.ts";
