/** Samples being dragged from a list. The type of its own keeps them apart from files dragged in from outside. */
export const SAMPLES_TYPE = 'application/x-sample-ids'

export function dragSamples(transfer: DataTransfer, ids: readonly string[]): void {
  transfer.setData(SAMPLES_TYPE, JSON.stringify(ids))
  transfer.effectAllowed = 'copyMove'
}

export function droppedSamples(transfer: DataTransfer): string[] {
  const text = transfer.getData(SAMPLES_TYPE)
  return text ? (JSON.parse(text) as string[]) : []
}

export function carriesSamples(transfer: DataTransfer): boolean {
  return transfer.types.includes(SAMPLES_TYPE)
}
