export function Mark({ size = 18 }: { size?: number }) {
  return (
    <svg viewBox="0 0 20 20" width={size} height={size} aria-hidden>
      <rect width="9" height="9" rx="2" className="fill-accent" />
      <rect x="11" width="9" height="9" rx="2" className="fill-accent opacity-50" />
      <rect y="11" width="9" height="9" rx="2" className="fill-accent opacity-50" />
      <rect x="11" y="11" width="9" height="9" rx="2" className="fill-loop" />
    </svg>
  )
}
