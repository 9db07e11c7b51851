export type { StudyColumn, StudyFigure, StudyResult, StudyTable, StudyValue } from "./study-result.ts";
