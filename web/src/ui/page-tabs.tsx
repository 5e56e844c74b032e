import { Link, type LinkProps } from '@tanstack/react-router'

interface PageTabsProps {
  label: string
  pages: readonly { to: LinkProps['to']; label: string }[]
}

/** The pages of one part of the app, side by side above what they show. */
export function PageTabs({ label, pages }: PageTabsProps) {
  return (
    <nav aria-label={label} className="mb-6 flex flex-wrap gap-1 border-b border-line pb-2">
      {pages.map((page) => (
        <Link
          key={page.to}
          to={page.to}
          className="rounded-md px-2.5 py-1 text-soft hover:bg-raised hover:text-ink aria-[current=page]:bg-accent-wash aria-[current=page]:text-accent"
        >
          {page.label}
        </Link>
      ))}
    </nav>
  )
}
