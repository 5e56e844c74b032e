import { classes } from '@/ui/classes'

interface Pictured {
  avatar_url?: string | null
  first_name: string
  last_name: string
  email: string
}

/** A person's picture, or the first letters of their name. */
export function Avatar({ user, large }: { user: Pictured; large?: boolean }) {
  const size = large ? 'size-16 text-lg' : 'size-7 text-2xs'
  if (user.avatar_url)
    return (
      <img src={user.avatar_url} alt="" className={classes('shrink-0 rounded-full object-cover', size)} />
    )
  return (
    <span
      aria-hidden
      className={classes(
        'grid shrink-0 place-items-center rounded-full bg-accent-wash font-semibold text-accent uppercase',
        size,
      )}
    >
      {initials(user)}
    </span>
  )
}

function initials({ first_name, last_name, email }: Pictured): string {
  return (first_name.slice(0, 1) + last_name.slice(0, 1)).trim() || email.slice(0, 1)
}
