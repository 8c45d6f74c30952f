/** What-if: questions over a configuration, answered by running the quorum cores. */
export { modelOf, whatIf, type Progress } from "./ask.ts";
export type { Answer, Row, WhatIf } from "./answer.ts";
export { whatIfDesign, type WhatIfDesign } from "./design.ts";
