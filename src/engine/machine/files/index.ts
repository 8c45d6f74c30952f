/** The files of one machine: the public face. */
export { Files } from "./files.ts";
export type { FilesHost, FilesState, Resumed } from "./files-state.ts";
export { peek, peekRead, contentsOf, type AskServer } from "./peek.ts";
export { Tree, ROOT_INO } from "./tree.ts";
export type { TreeLimits, TreeState } from "./inode-table.ts";
export { ProcessFiles, type ProcessFilesHooks } from "./process-files.ts";
export { imageOf, imageAfter, treeOf, type Imaged, type Mounted } from "./image.ts";
export { contentHash } from "./content.ts";
export type { ProcProcess, ProcView } from "./proc-text.ts";
export { fileAct, fileQuery, layBase, makeDirectories, removeWhole, writeWhole, type FileQuery, type WholeWrite } from "./whole.ts";
