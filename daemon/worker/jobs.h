#pragma once
/* The jobs of the table, one file each. */

struct job;

void job_audit_start(struct job *job);
void job_follow_start(struct job *job);
void job_deadlines_start(struct job *job);
void job_policy_start(struct job *job);
void job_policy_forget(struct job *job);
void job_lookups_start(struct job *job);
void job_lookups_forget(struct job *job);
void job_snapshots_start(struct job *job);
void job_snapshots_forget(struct job *job);
void job_sweep_start(struct job *job);
void job_retention_start(struct job *job);
void job_people_start(struct job *job);
void job_keys_start(struct job *job);
void job_rotation_start(struct job *job);
