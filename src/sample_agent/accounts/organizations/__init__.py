"""Organizations: teams of people, who belongs to them and who is invited.

The rules:

- An organization has exactly one owner. The owner cannot leave or step down; they transfer it to another member, or
  delete it. Both need a fresh proof of who they are, and deleting needs the name typed.
- Owner and administrators invite and remove. Administrators may make a member an administrator, and act on nobody of
  their own rank or above; only the owner takes that role away again. Anybody else may leave, and an administrator may
  step down.
- An invitation is for one address. It works once and for seven days, and dies when it is withdrawn or declined, when a
  newer one to the same address is made, and when whoever made it may no longer invite. It is accepted by the account
  that has this address, confirmed. Whoever has none yet registers first and finds it afterwards.
- Inviting does not tell whether there is an account with the address.
- Whatever depends on who is what is decided while the organization's row is held: of two changes at once, the second
  one sees what the first one did. Locks are taken in one order everywhere: the person, organizations by their ids.
"""
