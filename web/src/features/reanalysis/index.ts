export { AnalysisFact } from './fact'
export { ReanalysisNotice } from './notice'
