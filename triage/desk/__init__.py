"""办理台 (`/desk/`): divisions answer, 办公室 watches 督办, 局领导 sees everything, counties read their own firms."""
