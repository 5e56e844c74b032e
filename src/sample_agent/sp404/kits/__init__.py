"""Which sample belongs on which pad."""
