/** What-if: questions over a configuration, answered by running the quorum cores. */
export { modelOf, whatIf, type Answer, type Progress, type Row, type WhatIf } from "./ask.ts";
export { whatIfDesign, type WhatIfDesign } from "./design.ts";
