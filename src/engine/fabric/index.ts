/** The fabric: networks, switches, cables and what is wrong with them. */
export * from "./schema.ts";
export { Fabric, interfaceMtu, type FabricState } from "./fabric.ts";
export { MTU_DEFAULT_BYTES, type Path } from "./path.ts";
export { applyFabricAct, checkFabricAct, listFaults } from "./faults.ts";
