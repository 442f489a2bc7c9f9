-- One row per day, system, unit and procedure that has dossiers. Read by: dashboard "Online services".
-- received = online + in person + post; processed = early + on time + late; carried over + received = processed + in process + paused.
select report_date, system_code, unit_code, procedure_code, service_level, received_count, received_online_count,
       received_in_person_count, received_post_count, carried_over_count, processed_count, processed_early_count,
       processed_on_time_count, processed_late_count, in_process_count, in_process_overdue_count, paused_count,
       returned_count
from core.daily_portal_dossier
