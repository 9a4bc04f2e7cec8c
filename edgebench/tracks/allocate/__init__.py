"""The Allocate track: jobs that need four resources, sites that have them, deadlines that are real."""
