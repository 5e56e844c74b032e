/** Numbers as people who make beats read them. */

export function seconds(duration: number): string {
  if (duration < 10) return duration.toFixed(2)
  if (duration < 60) return duration.toFixed(1)
  const whole = Math.round(duration)
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`
}

/** A total length: "48 s", "12 min", "1 h 4 min". */
export function totalLength(duration: number): string {
  if (duration < 60) return `${Math.round(duration)} s`
  const minutes = Math.round(duration / 60)
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

export function bpm(tempo: number): string {
  return Math.abs(tempo - Math.round(tempo)) < 0.05 ? String(Math.round(tempo)) : tempo.toFixed(1)
}

export function bytes(size: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB']
  let value = size
  let unit = 0
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`
}

export function count(n: number, one: string, many = `${one}s`): string {
  return `${n.toLocaleString('en')} ${n === 1 ? one : many}`
}

export function percent(fraction: number): string {
  return `${Math.round(fraction * 100)} %`
}

const dates = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' })

export function dateTime(iso: string): string {
  return dates.format(new Date(iso))
}
